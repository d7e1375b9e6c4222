export async function post(
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await request(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

export async function get(path: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  return (await request(path, { headers })).json();
}

async function request(path: string, options: RequestInit): Promise<Response> {
  const response = await fetch(path, options).catch((cause: unknown) => {
    throw new Error("server unreachable", { cause });
  });
  if (!response.ok) throw new Error(`${path.replace(/\?.*/, "")} answered ${response.status}`);
  return response;
}
