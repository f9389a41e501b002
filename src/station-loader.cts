import { bundle } from './bundle.cjs';

/** The entry of the server. With `--record`, by the build, it ends once it serves. */
const isRecording = process.argv.includes('--record');
const station = bundle('station', { isRecording });
const { started } = station.start();
if (isRecording) {
  void Promise.resolve(started).then(() => {
    station.record();
    process.exit();
  });
}
