import type { ReactNode } from "react";

interface Props {
  readonly name: string;
  /** What happens, in one sentence. */
  readonly does: string;
  /** The buttons that do it. */
  readonly children: ReactNode;
}

/** One way to break a connection: what it is called, what it does, and to whom. */
export function Fault({ name, does, children }: Props) {
  return (
    <li className="fault">
      <h3>{name}</h3>
      <p>{does}</p>
      <div className="fault-buttons" role="group" aria-label={name}>
        {children}
      </div>
    </li>
  );
}
