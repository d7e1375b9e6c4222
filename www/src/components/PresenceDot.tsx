import { type Presence, usePresence } from "../usePresence";

interface Props {
  readonly matchId: string;
  readonly userId: string;
  readonly name: string;
}

/** A green dot for somebody who is there, a grey one for somebody who is not, a hollow one when this side cannot know. */
export function PresenceDot({ matchId, userId, name }: Props) {
  const presence = usePresence(matchId, userId);
  return (
    <p className="presence" aria-live="polite" data-presence={presence} data-testid="presence">
      {WORDS[presence](name)}
    </p>
  );
}

const WORDS: Readonly<Record<Presence, (name: string) => string>> = {
  online: (name) => `${name} is online`,
  offline: (name) => `${name} is offline`,
  unknown: (name) => `Not known whether ${name} is online`,
};
