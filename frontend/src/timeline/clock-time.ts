/** Times of day in the platform's days, whatever the reader's own zone is. */

const ZONE = "Asia/Shanghai";
const withSeconds = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const withoutSeconds = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });

export function clockTime(ms: number, seconds: boolean): string {
  return (seconds ? withSeconds : withoutSeconds).format(ms);
}

/** An amount as h:mm:ss or m:ss. */
export { position as lasting } from "../amounts.ts";
