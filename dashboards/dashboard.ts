import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  type QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DATA_SOURCE, type Dashboard } from './provisioned.js';

/** One query of a panel, and how its series are called: `{{label}}` stands for a label's value. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface PanelProps {
  readonly title: string;
  /** What is seen here and what to think of it, for who has not seen it before. */
  readonly description: string;
  /** One of the SDK's units. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of 24. @default 8 */
  readonly span?: number;
  /** Upper end of the axis. @default - what the series need */
  readonly max?: number;
  /** What stands there when there is no series. @default - Grafana's words */
  readonly noValue?: string;
}

export type PanelBuilder = TimeSeriesBuilder | StatBuilder;

export interface RowProps {
  readonly title: string;
  readonly panels: readonly PanelBuilder[];
}

export interface DashboardProps {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly QueryVariableBuilder[];
  readonly rows: readonly RowProps[];
}

const REF_IDS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const HEIGHT = 8;
const STAT_HEIGHT = 4;

/** Lines over time, with a legend below. */
export function timeSeries(props: PanelProps): TimeSeriesBuilder {
  const panel = new TimeSeriesBuilder()
    .height(HEIGHT)
    .min(0)
    .fillOpacity(10)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return common(panel, props);
}

/** The last value of each series in large digits. */
export function stat(props: PanelProps): StatBuilder {
  return common(new StatBuilder().height(STAT_HEIGHT), props);
}

function common<Builder extends PanelBuilder>(panel: Builder, props: PanelProps): Builder {
  panel
    .title(props.title)
    .description(props.description)
    .datasource(DATA_SOURCE)
    .unit(props.unit)
    .span(props.span ?? 8);
  if (props.max !== undefined) panel.max(props.max);
  if (props.noValue !== undefined) panel.noValue(props.noValue);
  props.queries.forEach(({ expr, legend }, index) => {
    const query = new DataqueryBuilder()
      .refId(REF_IDS.charAt(index))
      .datasource(DATA_SOURCE)
      .expr(expr)
      .legendFormat(legend);
    panel.withTarget(panel instanceof StatBuilder ? query.instant() : query.range());
  });
  return panel;
}

/** A dashboard of rows, each under its title. Rows and panels are numbered in their order. */
export function dashboard({ uid, title, description, variables = [], rows }: DashboardProps): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['ragdock'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([...variables]);
  let id = 0;
  for (const row of rows) {
    id += 1;
    builder.withRow(new RowBuilder(row.title).id(id));
    for (const panel of row.panels) {
      id += 1;
      builder.withPanel(panel.id(id));
    }
  }
  return { uid, title, json: `${JSON.stringify(builder.build(), null, 2)}\n` };
}
