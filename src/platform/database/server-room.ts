/**
 * WAHA servers (`id`) that have room for more calls, and for how many (`room`). Of three parameters, the first numbered so: ids of
 * servers, how many slots of each are taken, and how many each has (KeyedSlots.params). One that is not named has all.
 */
export const withRoom = (first: number): string => `
  select v.id, $${first + 2}::int - coalesce(busy.n, 0) as room
  from waha_servers v left join unnest($${first}::uuid[], $${first + 1}::int[]) as busy (id, n) on busy.id = v.id
  where $${first + 2}::int > coalesce(busy.n, 0)`;
