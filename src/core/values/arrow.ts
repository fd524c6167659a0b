/**
 * Arrow tables as plain objects: what `as.arrow("buffers")` gives.
 *
 * Types are format strings of the Arrow C data interface (`"l"` int64, `"u"` text, `"tsu:UTC"` …), and
 * buffers lie as the Arrow columnar format says, with every offset taken away: element 0 is the first.
 */

export interface ArrowField {
  readonly name: string;
  /** Of the values; of the codes where there is a dictionary. */
  readonly format: string;
  readonly nullable: boolean;
  /** Whether the order of a dictionary's values means something. */
  readonly ordered: boolean;
  /** Extension types are named here (`ARROW:extension:name`); what is no text stays bytes. */
  readonly metadata: Readonly<Record<string, string | Uint8Array>>;
  readonly children: readonly ArrowField[];
  readonly dictionary: ArrowField | null;
}

export interface ArrowColumn {
  readonly length: number;
  readonly nullCount: number;
  /** Validity first (null: nothing is null), then the layout's own: values, or offsets and data … */
  readonly buffers: readonly (Uint8Array | null)[];
  readonly children: readonly ArrowColumn[];
  readonly dictionary: ArrowColumn | null;
}

export interface ArrowTable {
  readonly fields: readonly ArrowField[];
  readonly metadata: Readonly<Record<string, string | Uint8Array>>;
  readonly batches: readonly { readonly length: number; readonly columns: readonly ArrowColumn[] }[];
}
