import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { packageRoot } from '../apps/bundle.js';

/** A declaration of the package, as API Extractor describes it. */
export interface Declaration {
  readonly kind: string;
  /** A constructor has none. */
  readonly name?: string;
  /** The doc comment, or an empty string. */
  readonly docComment: string;
  /** Its text, in pieces. */
  readonly excerptTokens: readonly { readonly text: string }[];
  /** The declaration file that it is in, as `stacks/rag-stack.d.ts`; what an export holds has none. */
  readonly fileUrlPath?: string;
  readonly members?: readonly Declaration[];
}

/** What other projects can import, twice: for reviewers, and for those who look something up. */
export interface PublicApi {
  /** Every export with its signature, sorted by name. */
  readonly report: string;
  readonly exports: readonly Declaration[];
}

let known: PublicApi | undefined;

/** What the sources export, from declarations made for the purpose. The first call takes some seconds. */
export function extractApi(): PublicApi {
  known ??= withFolder((folder) => {
    const root = packageRoot();
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['-p', join(root, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder];
    execFileSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    mkdirSync(join(folder, 'out'));
    extract(folder);
    const model = JSON.parse(readFileSync(join(folder, 'out/ragdock.api.json'), 'utf8'));
    return { report: readFileSync(join(folder, 'out/ragdock.api.md'), 'utf8'), exports: model.members[0].members };
  });
  return known;
}

function withFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-api-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function extract(folder: string): void {
  const reported = { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true };
  const unreported = { logLevel: ExtractorLogLevel.None };
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'src/index.d.ts'),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: { module: 'NodeNext', lib: ['ES2023'], types: ['node'], skipLibCheck: true },
        },
      },
      apiReport: { enabled: true, reportFolder: 'out', reportTempFolder: 'out/temp', reportFileName: 'ragdock' },
      docModel: { enabled: true, apiJsonFilePath: 'out/ragdock.api.json' },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: reported, 'ae-missing-release-tag': unreported },
        // The comments of this project have tags of their own: @default.
        tsdocMessageReporting: { default: unreported },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (result.errorCount > 0) throw new Error(`API Extractor found ${result.errorCount} errors`);
}
