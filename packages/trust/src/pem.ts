/** PEM text of DER bytes. */
export function pemOf(label: "CERTIFICATE" | "PRIVATE KEY", der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The first block with this label, as PEM; undefined when there is none. */
export function pemBlock(text: string, label: "CERTIFICATE" | "PRIVATE KEY"): string | undefined {
  const [block] = new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`).exec(text) ?? [];
  return block === undefined ? undefined : `${block}\n`;
}

/** The bytes of a PEM block. */
export function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ""), "base64"));
}
