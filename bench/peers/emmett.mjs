// How a stream is kept with emmett, on either engine: `Base` makes this.store.
export const Emmett = (Base) => class extends Base {
  async append(stream, events, version) {
    const messages = events.map(({ id, type, data }) => ({ type, data, metadata: { messageId: id } }));
    await this.store.appendToStream(stream, messages, { expectedStreamVersion: version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version) });
  }
  async appendAny(stream, { id, type, data }) {
    await this.store.appendToStream(stream, [{ type, data, metadata: { messageId: id } }]);
  }
  async read(stream) {
    return (await this.store.readStream(stream)).events.length;
  }
  async state(stream) {
    const evolve = (state, { data }) => Object.assign(state, data);
    return (await this.store.aggregateStream(stream, { evolve, initialState: () => ({}) })).state;
  }
};
