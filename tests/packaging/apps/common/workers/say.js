/** Says something to the server at this port, and tells what it says to that. */
export function say(client, name, tell) {
  client.on("said", ({ text }) => tell(text));
  client.on("error", (error) => tell(String(error)));
  client.connect();
  client.send("say", { text: name });
}

export const options = (server) => ({ url: `http://127.0.0.1:${server}` });
