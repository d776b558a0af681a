/** What a metrics page promises: per family its type, its help, and the labels of its samples. */
export function familyShapes(text: string): Record<string, { type: string; help: string; labels: string[] }> {
  const families: Record<string, { type: string; help: string; labels: string[] }> = {};
  const family = (name: string) => {
    families[name] ??= { type: '', help: '', labels: [] };
    return families[name];
  };
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    const sample = /^([a-zA-Z_:]+)(?:\{(.*)\})? \S+$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      family(name)[kind === 'HELP' ? 'help' : 'type'] = rest;
    } else if (sample !== null) {
      const [, name = '', labels = ''] = sample;
      const names = [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label);
      const base = name.replace(/_(bucket|sum|count)$/, '');
      const shape = family(base in families ? base : name);
      shape.labels = [...new Set([...shape.labels, ...names])].sort();
    } else if (line !== '') {
      throw new Error(`not a line of metrics: ${line}`);
    }
  }
  return families;
}
