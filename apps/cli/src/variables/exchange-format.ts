/** Names of the formats in which variables are exchanged with other tools. */
export const EXCHANGE_FORMATS = ['json', 'efivar', 'efivarfs', 'dmpstore'] as const;
export type ExchangeFormat = (typeof EXCHANGE_FORMATS)[number];
