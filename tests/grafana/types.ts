/** What Grafana's own types say of a dashboard's JSON; `make dashboards-check` compiles the dashboards against it. */
import type { AnnotationQuery, Dashboard, DataQuery, Panel, RowPanel } from '@grafana/schema';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as it stands in JSON: its enums are the texts and numbers that they mean. */
type Json<T> = T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : unknown extends T ? T
  : T extends (infer Item)[] ? Json<Item>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;

type Open = Record<string, unknown>;
type Of<Kind extends string, Options, Custom = Open> =
  Omit<Panel<Open, Custom & Open>, 'type' | 'options'> & { type: Kind; options: Options };
/** Data sources add keys of their own to a query. */
type Annotations = { list?: AnnotationQuery<DataQuery & Open>[] };

export type Checked = Json<Omit<Dashboard, 'annotations' | 'panels'> & {
  annotations: Annotations;
  panels: (
    | Of<'stat', stat.Options>
    | Of<'state-timeline', timeline.Options, timeline.FieldConfig>
    | Of<'table', table.Options, table.FieldConfig>
    | Of<'text', text.Options>
    | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>
    | RowPanel
  )[];
}>;

const text_panel = { type: 'text', title: 'A panel that is right', options: { mode: 'markdown', content: '' } } as const;
export const right: Checked = { schemaVersion: 39, annotations: {}, panels: [text_panel] };
// @ts-expect-error no text is shown in this mode
export const wrong_value: Checked = { ...right, panels: [{ ...text_panel, options: { mode: 'loud', content: '' } }] };
// @ts-expect-error a panel has a place, and this is none
export const wrong_key: Checked = { ...right, panels: [{ ...text_panel, gridPos: { left: 1, w: 1, h: 1, x: 0, y: 0 } }] };
