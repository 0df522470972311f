import { getMetadataStorage, IsInt, IsString, validateSync } from 'class-validator';
import { rememberRules } from './known-rules';

class Base {
  @IsInt()
  amount: number;
}

class Named extends Base {
  @IsString()
  name: string;
}

const faultsOf = (object: object, value: object): string[] =>
  validateSync(Object.assign(object, value)).map(({ property }) => property);

describe('rememberRules', () => {
  beforeAll(() => {
    rememberRules();
    rememberRules();
  });

  it('keeps to each class its own rules and those that it inherits, however often', () => {
    for (let time = 0; time < 3; time += 1) {
      expect(faultsOf(new Base(), { amount: 'x', name: 1 })).toEqual(['amount']);
      expect(faultsOf(new Named(), { amount: 'x', name: 1 }).sort()).toEqual(['amount', 'name']);
      expect(faultsOf(new Named(), { amount: 1, name: 'x' })).toEqual([]);
    }
  });

  it('looks for them once', () => {
    const storage = getMetadataStorage();
    const rulesOf = (target: new () => object) =>
      storage.getTargetValidationMetadatas(target, undefined as unknown as string, false, false);
    expect(rulesOf(Named)).toBe(rulesOf(Named));
    expect(storage.groupByPropertyName(rulesOf(Named))).toBe(storage.groupByPropertyName(rulesOf(Named)));
    expect(rulesOf(Base)).not.toBe(rulesOf(Named));
  });

  it('asks anew where groups are wanted', () => {
    expect(
      validateSync(Object.assign(new Base(), { amount: 'x' }), { groups: ['none'], forbidUnknownValues: false }),
    ).toEqual([]);
    expect(faultsOf(new Base(), { amount: 'x' })).toEqual(['amount']);
  });
});
