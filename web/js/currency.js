// Decimals of a currency, as the API has them. Intl has its own opinion of some (it writes UGX and IDR as people do), so it
// is not asked. A test of the domain holds these lists against its own.

const NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ");
const THREE = "BHD IQD JOD KWD LYD OMR TND".split(" ");

export const decimals = (currency) => (NONE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : 2);

/** `count` times an amount, in whole minor units, so that the product shows no more than its decimals. */
export function times(amount, count, currency) {
  const unit = 10 ** decimals(currency);
  return (Math.round(amount * unit) * count) / unit;
}
