import type { UploadOffer } from "../../lib/upload-port.ts";
export default function UploadPanel(_: { offers: readonly UploadOffer[]; onTaken: (n: number) => void; partSizeBytes: number }) { return null; }
