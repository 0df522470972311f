/** What an order can be. It is `pending` when it is placed, and ends once. */
export const ORDER_STATUSES = ['pending', 'completed', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** What is told to the customer, each by a template of its own. */
export type OrderNews = 'confirmation' | 'completion' | 'cancellation';

/** What tells of it that an order has got to a status. */
export const NEWS_OF: Record<OrderStatus, OrderNews> = {
  pending: 'confirmation',
  completed: 'completion',
  cancelled: 'cancellation',
};

/** Whether an order may go from the one to the other: only a pending one goes anywhere, and to where it is nobody goes. */
export const mayBecome = (from: OrderStatus, to: OrderStatus): boolean => from === 'pending' && to !== 'pending';
