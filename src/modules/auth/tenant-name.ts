/** Where everybody may have a mailbox: such a domain names no business. */
const MAIL_PROVIDERS = new Set(
  (
    'gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com mac.com aol.com ' +
    'proton.me protonmail.com gmx.com gmx.net gmx.de web.de mail.com mail.ru yandex.ru yandex.com zoho.com qq.com 163.com'
  ).split(' '),
);

/** The name of a tenant whose founder gave none: the domain of the email or, of a public mail provider, the part before it. */
export function tenantNameOf(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  return (MAIL_PROVIDERS.has(domain) ? email.slice(0, at) : domain).slice(0, 200);
}
