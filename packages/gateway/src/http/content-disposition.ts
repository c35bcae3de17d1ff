/** `Content-Disposition` for any name: an ASCII form for old programs and the exact one. Source: RFC 6266, RFC 8187. */
export function contentDisposition(kind: "attachment" | "inline", name: string): string {
  const ascii = Array.from(name, (character) =>
    /[ -~]/.test(character) && !/["\\%]/.test(character) ? character : "_",
  ).join("");
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${extendedValue(name)}`;
}

function extendedValue(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
