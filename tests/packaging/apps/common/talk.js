/** Where the server is, as the address of the page or worker says. */
export const options = () => ({ url: `http://127.0.0.1:${new URLSearchParams(location.search).get("server")}` });

/** There is no such option, which the development build warns of. */
export const mistake = { reconnct: {} };

/** Says something to the server, and shows what it says to that. */
export function talk(client, name) {
  client.on("said", ({ text }) => show(name, text));
  client.on("error", (error) => show(name, String(error)));
  client.connect();
  client.send("say", { text: name });
}

export function show(name, text) {
  document.getElementById(name).textContent = text;
}
