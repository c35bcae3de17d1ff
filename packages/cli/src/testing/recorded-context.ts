import type { CommandContext } from "../command.ts";

/** A context that keeps what a command says. */
export interface RecordedContext extends CommandContext {
  readonly lines: string[];
  readonly notes: string[];
  readonly documents: unknown[];
  readonly questions: string[];
}

/** One for tests: without a terminal unless `answer` is given. */
export function recordedContext(options: { readonly answer?: string } = {}): RecordedContext {
  const lines: string[] = [];
  const notes: string[] = [];
  const documents: unknown[] = [];
  const questions: string[] = [];
  const { answer } = options;
  return {
    lines,
    notes,
    documents,
    questions,
    signal: new AbortController().signal,
    output: {
      isJson: false,
      line: (text) => void lines.push(text),
      note: (text) => void notes.push(text),
      document: (value) => void documents.push(value),
      record: (value) => void documents.push(value),
    },
    terminal: {
      isInteractive: answer !== undefined,
      ask: async (question) => {
        questions.push(question);
        return answer ?? "";
      },
      progress: () => undefined,
    },
  };
}
