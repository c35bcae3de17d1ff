import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type DescriptorProto, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import type { Plugin } from "vite";

const embedded = /fileDesc\("([A-Za-z0-9+/=]+)"/;

/**
 * Generated code carries the description of its whole proto file, and the page's files import those of the masters and of
 * the log, of which the page speaks little. This plugin empties the descriptions of messages that no call of the named
 * services can carry (their names and places stay, so that the generated code still finds its own). Saves 4 kB of
 * the first view.
 */
export function leanDescriptors(options: { readonly folder: string; readonly services: readonly string[] }): Plugin {
  let reachable: ReadonlySet<string> = new Set();
  return {
    name: "lean-descriptors",
    apply: "build",
    buildStart() {
      reachable = reachableMessages(readDescriptors(options.folder), options.services);
    },
    transform(code, id) {
      const text = id.endsWith("_pb.ts") ? embedded.exec(code)?.[1] : undefined;
      if (text === undefined) return undefined;
      const file = decode(text);
      for (const message of file.messageType) empty(message, file.package, reachable);
      const lean = Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString("base64").replace(/=+$/, "");
      return { code: code.replace(text, () => lean), map: null };
    },
  };
}

function readDescriptors(folder: string): readonly FileDescriptorProto[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const text = name.endsWith("_pb.ts") ? embedded.exec(readFileSync(join(folder, name), "utf8"))?.[1] : undefined;
    return text === undefined ? [] : [decode(text)];
  });
}

function decode(text: string): FileDescriptorProto {
  return fromBinary(FileDescriptorProtoSchema, Buffer.from(text, "base64"));
}

/** Full names of all messages that a call of one of the services can carry. */
function reachableMessages(files: readonly FileDescriptorProto[], services: readonly string[]): ReadonlySet<string> {
  const messages = new Map<string, DescriptorProto>();
  const add = (message: DescriptorProto, parent: string): void => {
    const name = `${parent}.${message.name}`;
    messages.set(name, message);
    for (const nested of message.nestedType) add(nested, name);
  };
  for (const file of files) for (const message of file.messageType) add(message, file.package);
  const found = new Set<string>();
  const visit = (typeName: string): void => {
    const name = typeName.replace(/^\./, "");
    const message = messages.get(name);
    if (message === undefined || found.has(name)) return;
    found.add(name);
    for (const field of message.field) visit(field.typeName);
  };
  for (const file of files) {
    for (const service of file.service.filter(({ name }) => services.includes(`${file.package}.${name}`)))
      for (const method of service.method) {
        visit(method.inputType);
        visit(method.outputType);
      }
  }
  return found;
}

function empty(message: DescriptorProto, parent: string, reachable: ReadonlySet<string>): void {
  const name = `${parent}.${message.name}`;
  for (const nested of message.nestedType) empty(nested, name, reachable);
  if (reachable.has(name)) return;
  message.field = [];
  message.oneofDecl = [];
}
