import { preferredType } from './accepts';

const JSON_TYPE = 'application/json';
const PNG = 'image/png';

describe('preferredType', () => {
  it.each([
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    [PNG, PNG],
    ['IMAGE/PNG', PNG],
    ['image/*', PNG],
    ['image/png;q=0', JSON_TYPE],
    ['image/*, image/png;q=0', JSON_TYPE],
    ['image/png;q=0.1, application/json;q=0.2', JSON_TYPE],
    ['image/png ; q=0.3, application/json;q=0.2', PNG],
    ['image/avif,image/webp,image/png,image/*,*/*;q=0.8', PNG],
    ['image/png, */*', PNG],
    ['application/json, image/png', JSON_TYPE],
    ['text/html', JSON_TYPE],
    ['image/pngx', JSON_TYPE],
    ['image/png;q=nonsense', JSON_TYPE],
    [';;,,q=1', JSON_TYPE],
  ])('of %j is %s', (accept, type) => {
    expect(preferredType(accept, [JSON_TYPE, PNG])).toBe(type);
  });
});
