import { nodeProblem } from './node-version';

/** Imported before all else: what an older Node makes of the libraries is a crash that names nothing. */
const problem = nodeProblem(process.versions.node);
if (problem !== null) {
  console.error(problem);
  process.exit(78);
}
