export { withPlanted } from "./planted-defects.ts";
