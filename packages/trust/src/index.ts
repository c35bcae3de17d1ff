export { createAuthority, openAuthority } from "./authority.ts";
export type { CertificateAuthority } from "./authority.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { ClusterTrust } from "./cluster-trust.ts";
export { keepRenewed } from "./renewal.ts";
export { createCertificateRequest } from "./certificate-request.ts";
