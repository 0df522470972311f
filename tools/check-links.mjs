// Lists the links of the project's Markdown files that lead to no file here; addresses elsewhere are not asked.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const foreign = (name) => name === 'node_modules' || name.startsWith('dist') || /^\.\w/.test(name);
const files = globSync('**/*.md', { exclude: foreign });

/** Of `[text](target)` and `[name]: target`, code left out. */
function targetsOf(text) {
  const prose = text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '`');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)/g)];
  const named = [...prose.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...named].map(([, target]) => target);
}

const dead = files.flatMap((file) =>
  targetsOf(readFileSync(file, 'utf8'))
    .filter((target) => !/^([a-z][a-z0-9+.-]*:|#)/i.test(target))
    .filter((target) => !existsSync(path.join(path.dirname(file), decodeURI(target.split('#')[0]))))
    .map((target) => `${file}: ${target}`),
);
console.log(dead.length ? dead.join('\n') : `the links of ${files.length} documents lead to files`);
process.exitCode = dead.length ? 1 : 0;
