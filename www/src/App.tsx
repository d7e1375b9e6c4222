import { delivery, linkTo, sessionId, view, wire } from "./address";
import { Toasts } from "./components/Toasts";
import { FaultPanel } from "./instruments/FaultPanel";
import { LessonView } from "./lesson/LessonView";
import { MatchView } from "./match/MatchView";
import { present } from "./people";

export function App() {
  const isLesson = view === "lesson";
  return (
    <div className="page">
      <header className="masthead">
        <div className="masthead-title">
          <h1>
            <Logo /> Everwire
          </h1>
          <p>{isLesson ? LESSON : present.length === 1 ? ONE_OF_TWO : MATCH}</p>
          {wire === "envelope" && (
            <nav className="views" aria-label="What to see">
              <a href={linkTo({ view: "", person: "", device: "" })} aria-current={isLesson ? undefined : "page"}>
                Two people
              </a>
              <a href={linkTo({ view: "lesson", person: "", device: "" })} aria-current={isLesson ? "page" : undefined}>
                A learner and a tutor
              </a>
            </nav>
          )}
        </div>
      </header>
      <main className="stage">
        <div className="panes">{isLesson ? <LessonView /> : <MatchView />}</div>
        <FaultPanel />
      </main>
      <footer className="footer">
        Session <code data-testid="session">{sessionId}</code>. Open this address in another tab to meet there
        {isLesson ? <OneDevice /> : <OnePerson />}. Delivery is{" "}
        <b data-testid="delivery">{delivery.replaceAll("-", " ")}</b>
        {wire === "socket.io" ? ", because the server is CoLabMatch's own, on Socket.IO" : <OtherDelivery />}.
      </footer>
      <Toasts />
    </div>
  );
}

const MATCH =
  "Two people, two connections, one page. Break a connection, keep writing, and watch everything arrive in order once it is back.";
const ONE_OF_TWO =
  "One of two people, with a connection of their own. Break it, keep writing, and watch everything arrive in order once it is back.";
const LESSON =
  "One learner, two devices, a tutor. Write how it goes: the feeling is read from a list of words, and reaches both devices with the answer.";

function OnePerson() {
  return (
    <>
      , or as <a href={linkTo({ person: "ada" })}>Ada</a> or <a href={linkTo({ person: "grace" })}>Grace</a> alone
    </>
  );
}

function OneDevice() {
  return (
    <>
      , or with the <a href={linkTo({ device: "phone" })}>phone</a> or the{" "}
      <a href={linkTo({ device: "laptop" })}>laptop</a> alone
    </>
  );
}

function OtherDelivery() {
  const other = delivery === "reliable" ? "at-most-once" : "reliable";
  return (
    <>
      ; <a href={linkTo({ delivery: other, session: "" })}>try {other.replaceAll("-", " ")}</a>
    </>
  );
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M2 17h7l3-9 7 17 4-11 2 3h5" />
    </svg>
  );
}
