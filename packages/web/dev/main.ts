import { seed, seedAccount } from "./seed.ts";
import { startMemoryGateway } from "./memory-gateway.ts";

const gateway = await startMemoryGateway({ port: Number(process.argv[2] ?? "8090") });
seed(gateway.state);
process.stdout.write(
  `memory gateway on ${gateway.url}, sign in as ${seedAccount.email} with "${seedAccount.password}"\n`,
);
