import { createContext } from "react";

/** A node's name by its id, for whoever shows ids that came from the masters. */
export const NodeNames = createContext<(nodeId: number) => string>((nodeId) => `node ${nodeId}`);
