/** A message as one line of a log. A terminal would obey its control characters, and workerd repeats
 * parts of a malformed request, such as its `Host`. */
export function logLine(message: string): string {
  const escaped = (character: string) =>
    `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  return message.trimEnd().replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);
}
