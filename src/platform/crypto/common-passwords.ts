let common: Promise<ReadonlySet<string>> | undefined;

/**
 * Whether a password is among the common ones, in whatever case, or is one of them with digits and punctuation behind it that
 * make up no more than half of the whole (`Password2026!`).
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  common ??= load();
  const list = await common;
  const lower = password.toLowerCase();
  const word = lower.replace(/[^\p{L}]+$/u, '');
  const padded = word.length * 2 >= lower.length;
  return list.has(lower) || list.has(lower.replace(/[^\p{L}\d]+$/u, '')) || (padded && list.has(word));
}

/** Only when somebody first chooses a password: most processes never need it (docs/decisions/0012). */
async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}
