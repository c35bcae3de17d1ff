export { readCertificateFiles, writeCertificateFiles } from "./certificate-files.ts";
export { enroll, enrollPatiently } from "./enroll.ts";
export type { EnrolmentPorts, EnrolmentWish } from "./enroll.ts";
export { fetchAuthority } from "./fetch-authority.ts";
export { keepAuthorityFile } from "./authority-file.ts";
