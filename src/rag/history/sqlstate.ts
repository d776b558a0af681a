/**
 * Whether a statement that failed with this SQLSTATE can succeed when the server is well again. Classes: 08 connection,
 * 28 authorisation, 3D no such database, 42 table or right missing (not migrated yet), 53 out of resources, a full disk
 * among them, 57 operator, 58 system.
 */
export function isUnavailableState(code: string): boolean {
  return /^(08|28|3D|42|53|57|58)/.test(code);
}
