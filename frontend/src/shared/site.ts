/** What the server wrote into the page about this installation: its own names, and whether it is a demonstration. */
export interface Site {
  brand: string;
  brand_en: string;
  bank: string;
  bank_en: string;
  demo: boolean;
}

const written = document.querySelector<HTMLMetaElement>('meta[name="rl-site"]')?.content;

/** Only a page that no server gave out (Vite's own, the tests') has none written: its names stay those of the words. */
export const site: Partial<Site> = written ? (JSON.parse(written) as Site) : {};
