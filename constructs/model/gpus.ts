/** Graphics cards that a workload may use; without them it sees none. */
export interface Gpus {
  /** Indexes (`0`) or UUIDs (`GPU-…`, `MIG-…`) of the cards as `nvidia-smi -L` shows them, or all of them. */
  readonly devices: 'all' | readonly string[];
  /**
   * Who hands the cards out: the container runtime `nvidia`, which has to be registered with the engine, or the engine
   * by a device request. One container has one of the two.
   *
   * @default 'nvidia-runtime'
   */
  readonly handedOutBy?: 'nvidia-runtime' | 'device-request';
}
