import {
  BytesIEC,
  BytesPerSecondIEC,
  Celsius,
  Percent,
  PercentUnit,
  Short,
  Watt,
} from '@grafana/grafana-foundation-sdk/units';
import { dashboard, type PanelBuilder, type RowProps, stat, timeSeries } from './dashboard.js';
import { DCGM_METRICS as GPU, NODE_METRICS as NODE, SCRAPE_METRICS } from './metrics.js';
import { gauge, increase, max, rate } from './promql.js';
import type { Dashboard } from './provisioned.js';

/** Pseudo file systems hold no data; a network file system belongs to another host. */
const FILE_SYSTEMS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|nfs.*|autofs"';

/** The host's own way to itself, and one end of each container's cable. */
const INTERFACES = 'device!~"lo|veth.*|br-.*|docker.*|ifb.*"';

/** Loop devices and RAM disks repeat what their files already count. */
const DISKS = 'device!~"loop.*|ram.*|sr.*|zram.*"';

const PER_GPU = 'GPU {{gpu}} ({{modelName}})';

/** The host: what runs on it, and what is left of it. */
export function systemOverview({ gpus }: { readonly gpus: boolean }): Dashboard {
  return dashboard({
    uid: 'ragdock-system-overview',
    title: 'System overview',
    description: 'The Docker host, and which services answer Prometheus.',
    rows: [
      { title: 'Now', panels: [servicesDown(), cpuNow(), memoryNow(), fullestFileSystem()] },
      { title: 'Services', panels: [services(), outOfMemoryKills()] },
      { title: 'Processors and memory', panels: [cpu(), load(), memory()] },
      { title: 'Disks and network', panels: [fileSystems(), diskTraffic(), diskBusy(), network()] },
      ...(gpus ? [gpuRow()] : []),
    ],
  });
}

const cpuShare = `1 - avg(${rate(NODE.cpuSeconds, 'mode="idle"')})`;
const memoryShare = `1 - ${gauge(NODE.memoryAvailable)} / ${gauge(NODE.memoryTotal)}`;
const fileSystemShare = `1 - ${gauge(NODE.filesystemAvailable, FILE_SYSTEMS)} / ${gauge(NODE.filesystemSize, FILE_SYSTEMS)}`;

function servicesDown(): PanelBuilder {
  return stat({
    title: 'Services down',
    description: 'Targets of Prometheus that do not answer. Anything but 0 deserves a look.',
    unit: Short,
    span: 6,
    queries: [{ expr: `count(${gauge(SCRAPE_METRICS.up)} == 0) or vector(0)`, legend: 'down' }],
  });
}

function cpuNow(): PanelBuilder {
  return stat({
    title: 'Processors busy',
    description: 'Share of the time in which the processors worked.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [{ expr: cpuShare, legend: 'busy' }],
  });
}

function memoryNow(): PanelBuilder {
  return stat({
    title: 'Memory used',
    description: 'Share of the memory that programs could not be given any more.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [{ expr: memoryShare, legend: 'used' }],
  });
}

function fullestFileSystem(): PanelBuilder {
  return stat({
    title: 'Fullest file system',
    description: 'A full disk stops the database first.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [{ expr: max(fileSystemShare), legend: 'used' }],
  });
}

function services(): PanelBuilder {
  return timeSeries({
    title: 'Services that answer',
    description: '1 while Prometheus gets the metrics of a service, 0 while it does not.',
    unit: Short,
    span: 16,
    max: 1,
    queries: [{ expr: gauge(SCRAPE_METRICS.up), legend: '{{job}}' }],
  });
}

function outOfMemoryKills(): PanelBuilder {
  return timeSeries({
    title: 'Processes killed for want of memory',
    description: 'Of the host and of containers that reached their limit.',
    unit: Short,
    queries: [{ expr: increase(NODE.oomKills), legend: 'killed' }],
  });
}

function cpu(): PanelBuilder {
  return timeSeries({
    title: 'Processor time by kind',
    description:
      'Share of all processors. Much iowait means that a disk is the bottleneck; steal, that another host is.',
    unit: PercentUnit,
    max: 1,
    queries: [{ expr: `avg by (mode) (${rate(NODE.cpuSeconds, 'mode!="idle"')})`, legend: '{{mode}}' }],
  });
}

function load(): PanelBuilder {
  return timeSeries({
    title: 'Load',
    description: 'Programs that run or want to. More than there are processors for long means that they wait.',
    unit: Short,
    queries: [
      { expr: gauge(NODE.load1), legend: '1 min' },
      { expr: gauge(NODE.load5), legend: '5 min' },
      { expr: gauge(NODE.load15), legend: '15 min' },
      { expr: `count(${rate(NODE.cpuSeconds, 'mode="idle"')})`, legend: 'processors' },
    ],
  });
}

function memory(): PanelBuilder {
  return timeSeries({
    title: 'Memory',
    description: 'What programs use, and what there is. The cache of files is not counted as used.',
    unit: BytesIEC,
    queries: [
      { expr: `${gauge(NODE.memoryTotal)} - ${gauge(NODE.memoryAvailable)}`, legend: 'used' },
      { expr: gauge(NODE.memoryTotal), legend: 'total' },
    ],
  });
}

function fileSystems(): PanelBuilder {
  return timeSeries({
    title: 'File systems',
    description: 'Share that is used. Volumes of containers are on the file system of the Docker engine.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [{ expr: fileSystemShare, legend: '{{mountpoint}}' }],
  });
}

function diskTraffic(): PanelBuilder {
  return timeSeries({
    title: 'Disk traffic',
    description: 'Bytes read and written in a second, by disk.',
    unit: BytesPerSecondIEC,
    span: 6,
    queries: [
      { expr: rate(NODE.diskRead, DISKS), legend: '{{device}} read' },
      { expr: rate(NODE.diskWritten, DISKS), legend: '{{device}} written' },
    ],
  });
}

function diskBusy(): PanelBuilder {
  return timeSeries({
    title: 'Disks at work',
    description:
      'Share of the time in which a disk had something to do. Near 1 for long means that programs wait for it.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [{ expr: rate(NODE.diskBusySeconds, DISKS), legend: '{{device}}' }],
  });
}

function network(): PanelBuilder {
  return timeSeries({
    title: 'Network',
    description: 'Bytes received and sent in a second, by interface. Traffic between containers is not counted.',
    unit: BytesPerSecondIEC,
    span: 6,
    queries: [
      { expr: rate(NODE.networkReceived, INTERFACES), legend: '{{device}} received' },
      { expr: rate(NODE.networkSent, INTERFACES), legend: '{{device}} sent' },
    ],
  });
}

function gpuRow(): RowProps {
  return { title: 'GPUs', panels: [gpuUtilization(), gpuMemory(), gpuTemperature(), gpuPower()] };
}

function gpuUtilization(): PanelBuilder {
  return timeSeries({
    title: 'GPU utilization',
    description: 'Share of the time in which at least one kernel ran.',
    unit: Percent,
    span: 6,
    max: 100,
    queries: [{ expr: gauge(GPU.utilization), legend: PER_GPU }],
  });
}

function gpuMemory(): PanelBuilder {
  const used = gauge(GPU.memoryUsed);
  return timeSeries({
    title: 'GPU memory',
    description: 'Share that is taken. vLLM takes its part at the start and keeps it, so a high value is normal.',
    unit: PercentUnit,
    span: 6,
    max: 1,
    queries: [
      { expr: `${used} / (${used} + ${gauge(GPU.memoryFree)} + ${gauge(GPU.memoryReserved)})`, legend: PER_GPU },
    ],
  });
}

function gpuTemperature(): PanelBuilder {
  return timeSeries({
    title: 'GPU temperature',
    description: 'A card that gets too hot slows itself down.',
    unit: Celsius,
    span: 6,
    queries: [{ expr: gauge(GPU.temperature), legend: PER_GPU }],
  });
}

function gpuPower(): PanelBuilder {
  return timeSeries({
    title: 'GPU power',
    description: 'What the card draws.',
    unit: Watt,
    span: 6,
    queries: [{ expr: gauge(GPU.power), legend: PER_GPU }],
  });
}
