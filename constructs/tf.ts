/** The one place that imports the framework, so that a successor of the same interface is one line away. */
export * from 'cdktf';
