import { type Emotion, inWords, tint } from "../emotion";

/** The emotion that was read from a message, if one was. */
export function Feeling({ emotion }: { readonly emotion: Emotion | undefined }) {
  if (emotion === undefined) return null;
  return (
    <span className="feeling" style={tint(emotion)} data-testid="message-emotion">
      {inWords(emotion.primary_emotion)}
    </span>
  );
}
