import type { Path } from '../located.js';
import type { Rule } from '../rules.js';

const COLLECTIONS: Path = ['services', 'api', 'collections'];
const EMBEDDINGS: Path = ['services', 'embeddings', 'enabled'];
const ENABLE = 'Enable services.embeddings with the model that made the vectors.';

/** Vectors of questions come from the stack's own model; without one there is nothing to compare. */
const vectorsNeedAModel: Rule = ({ settings: { services } }) =>
  Object.entries(services.api.collections).flatMap(([name, { layout, dense }]) => {
    if (services.embeddings.enabled) return [];
    if (layout === 'langchain') {
      const message = 'a collection of LangChain is found by vectors alone, and no model makes any';
      return [{ path: [...COLLECTIONS, name, 'layout'], message, remedy: ENABLE, restsOn: [EMBEDDINGS] }];
    }
    if (!dense) return [];
    const message = 'its passages are to get vectors, and no model makes any';
    return [{ path: [...COLLECTIONS, name, 'dense'], message, remedy: ENABLE, restsOn: [EMBEDDINGS] }];
  });

const settingsFitTheLayout: Rule = ({ settings: { services } }) =>
  Object.entries(services.api.collections).flatMap(([name, { layout, dense, courseField }]) => [
    ...(layout === 'ragdock' && courseField !== undefined
      ? [
          {
            path: [...COLLECTIONS, name, 'courseField'],
            message: 'what ragdock ingests says its course in a field of its own',
            remedy: 'Leave it out, or say layout: langchain.',
          },
        ]
      : []),
    ...(layout === 'langchain' && dense === false
      ? [
          {
            path: [...COLLECTIONS, name, 'dense'],
            message: 'a collection of LangChain has nothing but vectors',
            remedy: 'Leave it out.',
          },
        ]
      : []),
  ]);

/** What is learned has to be searched, and a collection of LangChain is never written to. */
const feedbackGoesToACollectionOfOurs: Rule = ({ settings: { services } }) => {
  const { collections, history } = services.api;
  const name = history.fromFeedback;
  if (name === undefined) return [];
  const found = collections[name];
  if (found?.layout === 'ragdock') return [];
  const ours = Object.keys(collections).filter((one) => collections[one]?.layout === 'ragdock');
  const message = found
    ? `LangChain's collection '${name}' is only read`
    : `'${name}' is none of the collections that questions search`;
  const remedy = ours.length > 0 ? `Name one of ${ours.join(', ')}.` : 'Add a collection to services.api.collections.';
  return [{ path: ['services', 'api', 'history', 'fromFeedback'], message, remedy, restsOn: [COLLECTIONS] }];
};

export const COLLECTION_RULES: readonly Rule[] = [
  vectorsNeedAModel,
  settingsFitTheLayout,
  feedbackGoesToACollectionOfOurs,
];
