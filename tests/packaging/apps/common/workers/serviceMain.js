const server = new URLSearchParams(location.search).get("server");

navigator.serviceWorker.onmessage = ({ data }) => {
  document.getElementById("service").textContent = data;
};
navigator.serviceWorker.register("./service.js", { type: "module" });
navigator.serviceWorker.ready.then(({ active }) => active.postMessage(server));
