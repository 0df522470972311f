import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { errorsOf, imported, type Kind, NDJSON } from './imports.harness';

let app: TestApp;
let manager: LoggedIn;

beforeAll(async () => {
  app = await startTestApp();
  manager = await app.login('MANAGER');
});

afterAll(() => app.close());

describe('what an import says of the rows that it refused', () => {
  it('tells what is wrong with lines of JSON', async () => {
    const lines = ['{', '[]', '{"id":"x_1","name":"a","price":1,"colour":"red"}', '{"name":"a","price":1}'];
    const more = ['{"id":"x_2","name":"a\\u0000","price":1}', '{"id":"x_3","name":"a"}', '{"id":"x_4","stock":null}'];
    const { id, rows } = await imported(manager.http, 'products', [...lines, '', ...more].join('\n'), NDJSON);
    expect(rows).toMatchObject({ read: 7, refused: 7 });
    const errors = await errorsOf(manager.http, id);
    expect(errors.map(({ reason }) => reason)).toEqual([
      'The row is not valid JSON',
      'The row must be a JSON object',
      'This field is not known here',
      'id is required',
      'name must not contain NUL or half of a surrogate pair',
      'price is required: there is nothing of this id yet',
      'stock must not be empty',
    ]);
    expect(errors.map(({ line, id: row, field }) => [line, row, field])).toEqual([
      [1, null, null],
      [2, null, null],
      [3, 'x_1', 'colour'],
      [4, null, 'id'],
      [6, 'x_2', 'name'],
      [7, 'x_3', 'price'],
      [8, 'x_4', 'stock'],
    ]);
  });

  it('tells of a row that is too long, no text, no JSON in its cell, or of no customer that there may be', async () => {
    const reasonsOf = async (kind: Kind, body: string | Buffer): Promise<unknown[]> => {
      const { id } = await imported(manager.http, kind, body);
      return (await errorsOf(manager.http, id)).map(({ line, field, reason }) => [line, field, reason]);
    };
    const rows = ['id,name,price,attributes', `l_1,${'x'.repeat(256 * 1024)},1,`, 'l_2,Bad JSON,1,{'].join('\n');
    const bytes = Buffer.concat([Buffer.from(`${rows}\nl_3,`), Buffer.from([0xff]), Buffer.from(',1,\n')]);
    expect(await reasonsOf('products', bytes)).toEqual([
      [2, null, 'The row is longer than 262144 bytes, or a quote in it is not closed'],
      [3, 'attributes', 'attributes is not valid JSON'],
      [4, null, 'The row is not valid UTF-8'],
    ]);
    const numbered = ['l_4,Long,1,"{""serial"":12345678901234567890}"', 'l_5,Kept,12345678901234.5678,"{""n"":0.1}"'];
    expect(await reasonsOf('products', `id,name,price,attributes\n${numbered.join('\n')}\n`)).toEqual([
      ...[
        [
          2,
          'attributes.serial',
          'attributes.serial must not be a number that would be rounded; a text keeps every digit',
        ],
      ],
    ]);
    const people = 'id,email,phone\nd_1,same@example.com,\nd_2,same@example.com,\nd_3,nobody,\nd_4,,12\n';
    expect(await reasonsOf('customers', people)).toEqual([
      [3, 'email', "email is another customer's"],
      [4, 'email', 'email must be an email'],
      [5, 'phone', 'phone must be a phone number with its country code'],
    ]);
  });
});
