const server = new URLSearchParams(location.search).get("server");

const dedicated = new Worker(new URL("./dedicated.js", import.meta.url), { type: "module" });
dedicated.onmessage = show("dedicated");
dedicated.postMessage(server);

const shared = new SharedWorker(new URL("./shared.js", import.meta.url), { type: "module" });
shared.port.onmessage = show("shared");
shared.port.postMessage(server);

function show(name) {
  return ({ data }) => {
    document.getElementById(name).textContent = data;
  };
}
