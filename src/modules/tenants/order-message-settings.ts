/** What an order's customer can be told of. */
export const ORDER_MESSAGES = ['confirmation', 'completion', 'cancellation'] as const;

/** By which template the customer is told, and from where. */
export interface OrderMessage {
  template_id: string;
  /** Null: the tenant's only session. */
  session_id: string | null;
}

/** What customers are told when their orders change; null: nothing. */
export type OrderMessageSettings = Record<(typeof ORDER_MESSAGES)[number], OrderMessage | null>;

export const NO_ORDER_MESSAGES: OrderMessageSettings = { confirmation: null, completion: null, cancellation: null };
