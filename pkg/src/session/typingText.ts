/** "X is typing…", "X and Y are typing…", "N people are typing…", or an empty text when nobody does. In English; takes names as they are to be shown. */
export function typingText(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  return names.length === 2 ? `${first} and ${second} are typing…` : `${names.length} people are typing…`;
}
