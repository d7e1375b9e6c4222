import { type ChangeEvent, type FormEvent, useId, useState } from "react";

interface Props {
  /** Who writes. */
  readonly name: string;
  readonly typing: { readonly keyPressed: () => void; readonly stopped: () => void };
  readonly onSend: (content: string) => void;
}

export function Composer({ name, typing, onSend }: Props) {
  const [draft, setDraft] = useState("");
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
        Message as {name}
      </label>
      <input
        id={id}
        value={draft}
        onChange={change}
        placeholder={`Write as ${name}`}
        autoComplete="off"
        data-testid="composer-input"
      />
      <button type="submit" className="button button-strong" data-testid="composer-send">
        Send
      </button>
    </form>
  );
}
