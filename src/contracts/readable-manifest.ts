/** In each workspace, written by the station for people and agents; the repository cannot change it, and git does not see it. */
export const READABLE_MANIFEST = '.mcp-isolation.json';
