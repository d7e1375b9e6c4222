/** Who types, with dots that move; nothing when the text is empty. */
export function TypingLine({ text }: { readonly text: string }) {
  return (
    <p className="chat-typing" aria-live="polite" data-testid="typing">
      {text !== "" && (
        <>
          {text.replace(/…$/, "")}
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
        </>
      )}
    </p>
  );
}
