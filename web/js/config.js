// Where the API is: ./config.json, written by the deployment beside this page.
let config;

export async function loadConfig() {
  const answer = await fetch("config.json", { cache: "no-cache" });
  if (!answer.ok) throw new Error(`config.json answered ${answer.status}`);
  const read = await answer.json();
  if (typeof read.apiUrl !== "string" || !/^https?:\/\//.test(read.apiUrl)) throw new Error("config.json names no apiUrl");
  config = { environment: "", ...read, apiUrl: read.apiUrl.replace(/\/+$/, "") };
  return config;
}

export const getConfig = () => config;
