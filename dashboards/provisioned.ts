/** A dashboard as Grafana reads it from a file. The same sources give the same bytes. */
export interface Dashboard {
  /** Under which Grafana knows it, and part of its address. */
  readonly uid: string;
  /** Its heading. */
  readonly title: string;
  /** The JSON of its file. */
  readonly json: string;
}

/** The data source that every panel asks. Grafana is provisioned with one of this uid. */
export const DATA_SOURCE = { type: 'prometheus', uid: 'prometheus' } as const;
