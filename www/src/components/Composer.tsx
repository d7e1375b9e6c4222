import { type ChangeEvent, type FormEvent, useId, useState } from "react";
import { type Person, sessionId } from "../people";
import { useTyping } from "../useTyping";

interface Props {
  readonly person: Person;
  readonly onSend: (content: string) => void;
}

export function Composer({ person, onSend }: Props) {
  const [draft, setDraft] = useState("");
  const typing = useTyping(sessionId);
  const id = useId();

  const change = (event: ChangeEvent<HTMLInputElement>) => {
    setDraft(event.target.value);
    if (event.target.value === "") typing.stopped();
    else typing.keyPressed();
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const content = draft.trim();
    if (content === "") return;
    typing.stopped();
    onSend(content);
    setDraft("");
  };

  return (
    <form className="composer" onSubmit={submit}>
      <label className="visually-hidden" htmlFor={id}>
        Message as {person.name}
      </label>
      <input
        id={id}
        value={draft}
        onChange={change}
        placeholder={`Write as ${person.name}`}
        autoComplete="off"
        data-testid="composer-input"
      />
      <button type="submit" className="button button-strong" data-testid="composer-send">
        Send
      </button>
    </form>
  );
}
