import { create } from "zustand";

/** A short message at the bottom left; errors stay until closed. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly detail: string;
  readonly isError: boolean;
  readonly undo: (() => Promise<void>) | undefined;
}

interface ToastState {
  readonly toasts: readonly Toast[];
  /** What Ctrl+Z takes back, newest last. */
  readonly undoStack: readonly Toast[];
}

const toastsMax = 3;
const undoMax = 20;
let nextId = 1;

/** Messages on screen and the undo stack. */
export const useToasts = create<ToastState>(() => ({ toasts: [], undoStack: [] }));

/** Shows a message. With `undo` it can be taken back here and by Ctrl+Z, even after the message went. Answers its id. */
export function showToast(
  text: string,
  options: { readonly detail?: string; readonly isError?: boolean; readonly undo?: () => Promise<void> } = {},
): number {
  const toast: Toast = {
    id: nextId++,
    text,
    detail: options.detail ?? "",
    isError: options.isError ?? false,
    undo: options.undo,
  };
  useToasts.setState((state) => ({
    toasts: [...state.toasts, toast].slice(-toastsMax),
    undoStack: toast.undo === undefined ? state.undoStack : [...state.undoStack, toast].slice(-undoMax),
  }));
  return toast.id;
}

/**
 * Shows at once what is being done, with an undo that waits for it first, so that Ctrl+Z right behind an action takes back that
 * action. When `work` answers that nothing was done, message and undo go again.
 */
export async function showUndoable<Result>(
  text: string,
  work: Promise<Result | undefined>,
  takeBack: (result: Result) => Promise<void>,
): Promise<void> {
  const undoWork = async () => {
    const result = await work;
    if (result !== undefined) await takeBack(result);
  };
  const id = showToast(text, { undo: undoWork });
  if ((await work) !== undefined) return;
  closeToast(id);
  useToasts.setState((state) => ({ undoStack: state.undoStack.filter((toast) => toast.id !== id) }));
}

/** Takes a message off the screen; its undo stays on the stack. */
export function closeToast(id: number): void {
  useToasts.setState((state) => ({ toasts: state.toasts.filter((toast) => toast.id !== id) }));
}

/** Takes back the given change, or the last one. */
export async function undo(id?: number): Promise<void> {
  const { undoStack } = useToasts.getState();
  const toast = id === undefined ? undoStack.at(-1) : undoStack.find((one) => one.id === id);
  if (toast?.undo === undefined) return;
  useToasts.setState((state) => ({ undoStack: state.undoStack.filter((one) => one.id !== toast.id) }));
  closeToast(toast.id);
  await toast.undo();
}
