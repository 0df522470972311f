import { Bag, type Bagged } from './bag';

class Piece implements Bagged {
  slot = -1;
  constructor(readonly name: number) {}
}

const namesOf = (bag: Bag<Piece>): number[] =>
  bag
    .list()
    .map(({ name }) => name)
    .sort((a, b) => a - b);

describe('Bag', () => {
  it('holds what was put in and not taken out, whatever the order', () => {
    const bag = new Bag<Piece>();
    const held = new Set<Piece>();
    let seed = 1;
    for (let step = 0; step < 2_000; step += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      const known = [...held];
      if (known.length > 0 && seed % 3 === 0) {
        const gone = known[seed % known.length] as Piece;
        held.delete(gone);
        bag.remove(gone);
      } else {
        const piece = new Piece(step);
        held.add(piece);
        bag.add(piece);
      }
      expect(bag.size).toBe(held.size);
    }
    expect(namesOf(bag)).toEqual([...held].map(({ name }) => name).sort((a, b) => a - b));
  });

  it('gives a list that stays as it was', () => {
    const bag = new Bag<Piece>();
    const pieces = [1, 2, 3].map((name) => new Piece(name));
    for (const piece of pieces) bag.add(piece);
    const list = bag.list();
    for (const piece of pieces) bag.remove(piece);
    expect([list.length, bag.size]).toEqual([3, 0]);
  });
});
