import { mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { HoldfastError } from "@holdfast/base";
import { parseWords } from "../arguments.ts";
import type { Command, CommandContext } from "../command.ts";
import { exitCodes, ExitSignal, toHoldfastError, UsageError } from "../exit-code.ts";
import { Progress } from "../progress.ts";
import { entryAt, findEntry, folderAt, isFolder, joinPath, remotePath, splitPath, walk } from "../remote-path.ts";
import { openSession, type Session } from "../session.ts";
import { forEachConcurrently } from "../transfer/concurrency.ts";
import { downloadFile, streamFile } from "../transfer/download-file.ts";
import { uploadFile, uploadStream } from "../transfer/upload-file.ts";
import { makeFolder } from "./change.ts";

/** Small files are bound by round trips and fsyncs, so many go at once; a large file brings its own parallel parts. */
const filesInFlightMax = 16;

interface LocalFile {
  readonly localPath: string;
  readonly remotePath: string;
  readonly sizeBytes: number;
}

interface UploadPlan {
  readonly folders: readonly string[];
  readonly files: readonly LocalFile[];
}

/** Which folders and files a local path stands for, and where they go. */
async function planUpload(localPath: string, remote: string, isRecursive: boolean): Promise<UploadPlan> {
  const info = await stat(localPath).catch((cause: NodeJS.ErrnoException) => {
    throw new HoldfastError("notFound", `${localPath} cannot be read (${cause.code ?? cause.message}).`, { cause });
  });
  if (!info.isDirectory()) return { folders: [], files: [{ localPath, remotePath: remote, sizeBytes: info.size }] };
  if (!isRecursive) throw new UsageError(`${localPath} is a folder; use -r to upload it with all it holds.`);
  const folders = [remote];
  const files: LocalFile[] = [];
  for await (const found of walkLocal(localPath)) {
    const target = joinPath(remote, path.relative(localPath, found.path).split(path.sep).join("/"));
    if (found.sizeBytes === undefined) folders.push(target);
    else files.push({ localPath: found.path, remotePath: target, sizeBytes: found.sizeBytes });
  }
  return { folders, files };
}

/** Everything below a local folder, folders first. Links are followed to files only: one to a folder could go in a circle. */
async function* walkLocal(
  folder: string,
): AsyncIterable<{ readonly path: string; readonly sizeBytes: number | undefined }> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const found = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      yield { path: found, sizeBytes: undefined };
      yield* walkLocal(found);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      // A link that leads nowhere is not a file.
      const info = await stat(found).catch(() => undefined);
      if (info?.isFile() === true) yield { path: found, sizeBytes: info.size };
    }
  }
}

async function uploadAll(
  session: Session,
  plan: UploadPlan,
  context: CommandContext & { readonly isClobbering: boolean },
): Promise<Progress> {
  const progress = new Progress(context.output);
  progress.setTotals(
    plan.files.length,
    plan.files.reduce((sum, file) => sum + file.sizeBytes, 0),
  );
  const folderIds = new Map<string, bigint>();
  for (const folder of plan.folders) folderIds.set(folder, await makeFolder(session, folder, true));
  await forEachConcurrently(plan.files, filesInFlightMax, async (file) => {
    const { folder, name } = splitPath(file.remotePath);
    const shown = progress.file(file.remotePath, file.sizeBytes);
    try {
      context.signal.throwIfAborted();
      let parentId = folderIds.get(folder);
      if (parentId === undefined) {
        parentId = (await folderAt(session, folder)).entryId;
        folderIds.set(folder, parentId);
      }
      const conflict = context.isClobbering ? "replace" : "fail";
      await uploadFile(session, file.localPath, {
        parentId,
        name: name.normalize("NFC"),
        conflict,
        progress: shown,
        signal: context.signal,
      });
      context.output.record({ messageType: "file", path: file.remotePath, sizeBytes: file.sizeBytes });
    } catch (error) {
      shown.failed();
      reportFailure(context, file.remotePath, error);
      if (plan.files.length === 1) throw error;
    }
  });
  return progress;
}

function reportFailure(context: CommandContext, path_: string, thrown: unknown): void {
  if (context.signal.aborted)
    throw new HoldfastError("cancelled", "Interrupted. What was finished stays; nothing is half-done.");
  const error = toHoldfastError(thrown);
  context.output.record({ messageType: "error", path: path_, kind: error.kind, message: error.message });
  if (!context.output.isJson) context.output.note(`error: ${path_}: ${error.message}`);
}

function finish(progress: Progress): void {
  progress.finish();
  const { errorCount, filesDone } = progress.counts;
  if (errorCount > 0)
    throw new ExitSignal(
      exitCodes.partial,
      `${errorCount} of ${errorCount + filesDone} files failed; the others are done.`,
    );
}

export const put: Command = {
  usage: "put [-r] [--no-clobber] LOCAL... REMOTE",
  summary: "upload files or folders (- is standard input)",
  async run(words, context) {
    const rules = { recursive: { type: "boolean", short: "r" }, "no-clobber": { type: "boolean" } } as const;
    const parsed = parseWords(words, rules, { min: 2, max: 100_000, usage: put.usage });
    const target = parsed.positionals.at(-1) ?? "";
    const sources = parsed.positionals.slice(0, -1);
    const session = await openSession();
    const remote = remotePath(target);
    const existing = await findEntry(session, remote);
    const isInto = target.endsWith("/") || sources.length > 1 || (existing !== undefined && isFolder(existing));
    if (isInto && existing !== undefined && !isFolder(existing))
      throw new HoldfastError("precondition", `${remote} is a file. Nothing was uploaded.`);
    const isClobbering = !parsed.flag("no-clobber");
    if (sources.includes("-")) {
      if (sources.length > 1 || isInto)
        throw new UsageError("Standard input goes to one remote file: holdfast put - /folder/name");
      const { folder, name } = splitPath(remote);
      const parentId = (await folderAt(session, folder)).entryId;
      await uploadStream(session, process.stdin, {
        parentId,
        name,
        conflict: isClobbering ? "replace" : "fail",
        signal: context.signal,
      });
      context.output.document({ path: remote });
      return;
    }
    const folders: string[] = isInto && existing === undefined ? [remote] : [];
    const files: LocalFile[] = [];
    for (const source of sources) {
      const base = path.basename(path.resolve(source));
      const plan = await planUpload(source, isInto ? joinPath(remote, base) : remote, parsed.flag("recursive"));
      folders.push(...plan.folders);
      files.push(...plan.files);
    }
    finish(await uploadAll(session, { folders, files }, { ...context, isClobbering }));
  },
};

export const get: Command = {
  usage: "get [-r] REMOTE... LOCAL",
  summary: "download files or folders (- is standard output)",
  async run(words, context) {
    const parsed = parseWords(
      words,
      { recursive: { type: "boolean", short: "r" } },
      { min: 2, max: 100_000, usage: get.usage },
    );
    const local = parsed.positionals.at(-1) ?? "";
    const remotes = parsed.positionals.slice(0, -1).map(remotePath);
    const session = await openSession();
    if (local === "-") {
      for (const remote of remotes)
        await streamFile(session, await fileAt(session, remote), process.stdout, context.signal);
      return;
    }
    const info = await stat(local).catch(() => undefined);
    const isInto = remotes.length > 1 || local.endsWith("/") || info?.isDirectory() === true;
    const progress = new Progress(context.output);
    for (const remote of remotes) {
      const entry = await entryAt(session, remote);
      const name = remote === "/" ? "" : splitPath(remote).name;
      const target = isInto ? path.join(local, name) : local;
      if (isFolder(entry)) {
        if (!parsed.flag("recursive"))
          throw new UsageError(`${remote} is a folder; use -r to download it with all it holds.`);
        await downloadFolder(session, { folderId: entry.entryId, target, progress }, context);
      } else {
        await mkdir(path.dirname(path.resolve(target)), { recursive: true });
        await downloadFile(session, entry, {
          localPath: target,
          progress: progress.file(remote, Number(entry.sizeBytes)),
          signal: context.signal,
        });
      }
    }
    finish(progress);
  },
};

async function downloadFolder(
  session: Session,
  source: { readonly folderId: bigint; readonly target: string; readonly progress: Progress },
  context: CommandContext,
): Promise<void> {
  await mkdir(source.target, { recursive: true });
  await forEachConcurrently(walk(session, source.folderId), filesInFlightMax, async ({ path: relative, entry }) => {
    // The server refuses such names; a hostile one must not write outside the target.
    const target = path.resolve(source.target, relative);
    if (!target.startsWith(path.resolve(source.target) + path.sep))
      throw new HoldfastError(
        "invalidArgument",
        `The name "${relative}" leaves the target folder; it was not written.`,
      );
    if (isFolder(entry)) {
      await mkdir(target, { recursive: true });
      return;
    }
    const shown = source.progress.file(relative, Number(entry.sizeBytes));
    try {
      context.signal.throwIfAborted();
      await mkdir(path.dirname(target), { recursive: true });
      await downloadFile(session, entry, { localPath: target, progress: shown, signal: context.signal });
    } catch (error) {
      shown.failed();
      reportFailure(context, relative, error);
    }
  });
}

async function fileAt(session: Session, remote: string): ReturnType<typeof entryAt> {
  const entry = await entryAt(session, remote);
  if (isFolder(entry)) throw new HoldfastError("precondition", `${remote} is a folder, not a file.`);
  return entry;
}

export const cat: Command = {
  usage: "cat PATH...",
  summary: "write files to standard output",
  async run(words, context) {
    const parsed = parseWords(words, {}, { min: 1, max: 10_000, usage: cat.usage });
    const session = await openSession();
    for (const word of parsed.positionals)
      await streamFile(session, await fileAt(session, remotePath(word)), process.stdout, context.signal);
  },
};
