import { WebSocketProvider } from "everwire/react";
import { Outages } from "./components/Outages";
import { Pane } from "./components/Pane";
import { connectionOptions } from "./connection";
import { delivery, everyone, sessionId } from "./people";

export function App() {
  return (
    <div className="page">
      <header className="masthead">
        <div className="masthead-title">
          <h1>
            <Logo /> Everwire
          </h1>
          <p>
            Two people, two connections, one page. Break a connection, keep writing, and watch everything arrive in
            order once it is back.
          </p>
        </div>
        <Outages />
      </header>
      <main className="panes">
        {everyone.map((person) => (
          <WebSocketProvider key={person.key} options={connectionOptions(person.userId)}>
            <Pane person={person} />
          </WebSocketProvider>
        ))}
      </main>
      <footer className="footer">
        Session <code data-testid="session">{sessionId}</code>. Open this address in another tab to meet there. Delivery
        is <b data-testid="delivery">{delivery.replaceAll("-", " ")}</b>; <OtherDelivery />.
      </footer>
    </div>
  );
}

function OtherDelivery() {
  const other = delivery === "reliable" ? "at-most-once" : "reliable";
  return <a href={`?${new URLSearchParams({ delivery: other })}`}>try {other.replaceAll("-", " ")}</a>;
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M2 17h7l3-9 7 17 4-11 2 3h5" />
    </svg>
  );
}
