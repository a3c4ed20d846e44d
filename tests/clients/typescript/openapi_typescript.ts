// Files, amends, searches and withdraws a record with the types that openapi-typescript made.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Document = components["schemas"]["Record"];
// Answers rather than their receipts, which have a media type of their own.
type Media = "application/json" | "application/problem+json";
type Condition = { "If-None-Match"?: "*"; "If-Match"?: string };

export async function live(url: string, token: string, document: Document): Promise<void> {
  const client = createClient<paths, Media>({ baseUrl: url, headers: { authorization: `Bearer ${token}` } });
  const [agency, slug] = document.id!.split("/");
  const path = { agency, slug };

  async function file(record: Document, header: Condition) {
    const saved = await client.PUT("/api/v1/filings/{agency}/{slug}", {
      params: { path, header },
      body: record,
    });
    if (!saved.data?.publishable) throw new Error(JSON.stringify(saved.error));
    const submitted = await client.POST("/api/v1/filings/{agency}/{slug}/submit", {
      params: { path, header: { "If-Match": saved.response.headers.get("etag")! } },
    });
    if (submitted.data?.outcome !== "published") throw new Error(JSON.stringify(submitted.error));
    return { version: submitted.data.version, tag: submitted.response.headers.get("etag")! };
  }

  const first = await file(document, { "If-None-Match": "*" });
  document.name!.fr = "Zanzibar, tri des demandes";
  document.publication!.change_note = { fr: "Correction du nom.", ar: "تصحيح اسم النظام." };
  const second = await file(document, { "If-Match": first.tag });
  if (first.version !== 1 || second.version !== 2) throw new Error("versions");

  const found = await client.GET("/api/v1/records", {
    params: { query: { q: "zanzibar", lang: "fr", limit: 5 } },
  });
  const ids = found.data?.items.map((item) => `${item.id} ${item.version}`);
  if (ids?.join() !== `${document.id} 2`) throw new Error(JSON.stringify(found));

  const gone = await client.POST("/api/v1/records/{agency}/{slug}/withdraw", {
    params: { path, header: { "If-Match": second.tag } },
    body: { reason: "other", note: { fr: "Essai d’un client.", ar: "تجربة." } },
  });
  if (gone.data?.outcome !== "withdrawn") throw new Error(JSON.stringify(gone.error));
  const read = await client.GET("/api/v1/records/{agency}/{slug}", { params: { path } });
  if (read.error?.tombstone?.reason !== "other") throw new Error(JSON.stringify(read.error));
}
