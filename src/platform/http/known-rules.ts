import { getMetadataStorage } from 'class-validator';

type Storage = ReturnType<typeof getMetadataStorage>;
type Rules = ReturnType<Storage['getTargetValidationMetadatas']>;

/** Whether class-validator remembers already: one storage serves the whole process. */
const remembering = new WeakSet<Storage>();

/**
 * Lets class-validator remember the rules of each class. By itself it looks for them among those of all classes, and groups
 * them by property, for each object that it validates; but they are all known when the first object comes.
 */
export function rememberRules(): void {
  const storage = getMetadataStorage();
  if (remembering.has(storage)) return;
  remembering.add(storage);
  const find = storage.getTargetValidationMetadatas.bind(storage);
  const group = storage.groupByPropertyName.bind(storage);
  const rules = new WeakMap<object, Rules>();
  const groups = new WeakMap<Rules, ReturnType<Storage['groupByPropertyName']>>();
  storage.getTargetValidationMetadatas = (target, schema, ...options) => {
    const [always, strictGroups, wanted] = options;
    if (schema || always || strictGroups || wanted) return find(target, schema, ...options);
    return remembered(rules, target, () => find(target, schema, ...options));
  };
  storage.groupByPropertyName = (metadata) => remembered(groups, metadata, () => group(metadata));
}

function remembered<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}
